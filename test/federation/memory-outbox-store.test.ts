import { openMemoryOutboxStore } from '../../src/federation/memory-outbox-store.js';
import { describeOutboxStore } from './outbox-store-contract.js';

describeOutboxStore('an outbox store in memory', () => Promise.resolve(openMemoryOutboxStore()));
