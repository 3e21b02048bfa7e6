import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { directoriesOf } from '../../src/config/paths.js';
import { UsageError } from '../../src/errors.js';

describe('directoriesOf', () => {
  it('says so where MX2S_CONFIG_DIR is relative to a directory that was removed', () => {
    const gone = Object.assign(new Error('ENOENT: no such file or directory, uv_cwd'), { code: 'ENOENT' });
    const cwd = vi.spyOn(process, 'cwd').mockImplementation(() => {
      throw gone;
    });
    onTestFinished(() => cwd.mockRestore());
    expect(() => directoriesOf({ MX2S_CONFIG_DIR: 'm' })).toThrow(UsageError);
    expect(directoriesOf({ MX2S_CONFIG_DIR: '/m' }).config).toBe('/m');
  });

  it.each([
    ['HOME alone', { HOME: '/home/al' }, '/home/al/.config/mx2s', '/home/al/.local/state/mx2s'],
    [
      'XDG directories',
      { HOME: '/home/al', XDG_CONFIG_HOME: '/c', XDG_STATE_HOME: '/s' },
      '/c/mx2s',
      '/s/mx2s',
    ],
    ['XDG directories without HOME', { XDG_CONFIG_HOME: '/c', XDG_STATE_HOME: '/s' }, '/c/mx2s', '/s/mx2s'],
    [
      'relative XDG directories, which do not count',
      { HOME: '/home/al', XDG_CONFIG_HOME: 'c', XDG_STATE_HOME: './s' },
      '/home/al/.config/mx2s',
      '/home/al/.local/state/mx2s',
    ],
    [
      'empty variables, which do not count',
      { HOME: '/home/al', XDG_CONFIG_HOME: '', XDG_STATE_HOME: '', MX2S_CONFIG_DIR: '' },
      '/home/al/.config/mx2s',
      '/home/al/.local/state/mx2s',
    ],
    [
      'MX2S_CONFIG_DIR above all',
      { HOME: '/home/al', XDG_CONFIG_HOME: '/c', MX2S_CONFIG_DIR: '/m/' },
      '/m',
      '/m/state',
    ],
  ])('reads %s', (_name, env: Record<string, string>, config, state) => {
    expect(directoriesOf(env)).toEqual({ config, state });
  });

  it('makes a relative MX2S_CONFIG_DIR absolute', () => {
    expect(directoriesOf({ MX2S_CONFIG_DIR: 'sub' }).config).toBe(`${process.cwd()}/sub`);
  });

  it.each([[{}], [{ HOME: '' }], [{ HOME: 'relative' }], [{ XDG_CONFIG_HOME: '/c' }]])(
    'says what to set where nothing tells: %j',
    (env: Record<string, string>) => {
      expect(() => directoriesOf(env)).toThrow(UsageError);
    },
  );
});
