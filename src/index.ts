/** The library's door: what a program may import from `mx2s`. It re-exports and does nothing else. */
export * from './errors.js';
