import { describe, expect, it } from 'vitest';
import { parseUserId } from '../../src/ids/user-id.js';
import { VALIDATORS, type ValidatorName } from '../../src/subsystems/validators.js';
import { jsonTextOf } from '../../src/wire/json.js';

function validate(name: ValidatorName, content: object) {
  const sender = parseUserId('@a:hs.test');
  const message = {
    sender,
    type: 't',
    content: jsonTextOf(content),
    deviceId: undefined,
    via: 'client',
  } as const;
  return VALIDATORS[name](message, new AbortController().signal);
}

describe('mls', () => {
  it.each([
    [{ message: 'Zg' }],
    [{ message: 'Zg==' }],
    [{ message: 'Zg', more: 1 }],
    [{ message: 'Zg', commit_info: {} }],
    [{ message: 'Zg', commit_info: { welcome: 'Zm8' } }],
  ])('says nothing of %j', async (content) => {
    expect(await validate('mls', content)).toBeUndefined();
  });

  it.each([
    [{}, 'content.message: missing'],
    [{ message: 1 }, 'content.message: not a string'],
    [{ message: '' }, 'content.message: empty'],
    [{ message: 'a' }, 'content.message: not base64'],
    [{ message: 'Zg-_' }, 'content.message: not base64'],
    [{ message: 'Zg', commit_info: null }, 'content.commit_info: not an object'],
    [{ message: 'Zg', commit_info: { welcome: {} } }, 'content.commit_info.welcome: not a string'],
    [{ message: 'Zg', commit_info: { welcome: 'Z g' } }, 'content.commit_info.welcome: not base64'],
    [{ message: 'A'.repeat(65_536) }, 'content: longer than 65536 bytes'],
  ])('rejects %j', async (content, reason) => {
    expect(await validate('mls', content)).toEqual({
      type: 'org.matrix.msc4244.mls.rejected',
      content: JSON.stringify({ reason }),
    });
  });
});

describe('report', () => {
  const REPORT = {
    community_id: 'community',
    report_id: 'r-1._~',
    type: 'complaint',
    regarding: '@b:hs.test',
    harm: 'm.spam',
  };

  it.each([
    [{}],
    [{ description: 'spam' }],
    [{ description: 'é'.repeat(512) }],
    [{ report_id: 'r'.repeat(255), more: 1 }],
  ])('says nothing of a report with %j', async (more) => {
    expect(await validate('report', { ...REPORT, ...more })).toBeUndefined();
  });

  it.each([
    [{ community_id: undefined }, 'content.community_id: missing'],
    [{ report_id: 7 }, 'content.report_id: not a string'],
    [{ report_id: '' }, 'content.report_id: empty'],
    [{ report_id: 'a b' }, 'content.report_id: not an opaque identifier'],
    [{ report_id: 'r'.repeat(256) }, 'content.report_id: not an opaque identifier'],
    [{ type: 'appeal' }, 'content.type: not "complaint"'],
    [{ regarding: undefined }, 'content.regarding: missing'],
    [{ harm: {} }, 'content.harm: not a string'],
    [{ description: ' \n' }, 'content.description: blank'],
    [{ description: 'é'.repeat(513) }, 'content.description: longer than 1024 bytes'],
  ])('fails for a report with %j', async (more, reason) => {
    await expect(validate('report', { ...REPORT, ...more })).rejects.toThrow(reason);
  });
});
