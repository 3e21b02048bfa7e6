import { expect, it } from 'vitest';
import { createMetrics, missingFor, renderMetrics } from '../../src/gateway/metrics.js';

it('tells Prometheus what was counted', () => {
  const metrics = createMetrics();
  metrics.events.handled = 3;
  metrics.answers.accepted = 2;
  metrics.syncFailures = 1;
  metrics.waiting = 5;
  metrics.waitingSinceMs = 1000;
  metrics.lastSyncMs = 2500;
  metrics.isConnected = true;
  const text = renderMetrics(metrics, 3500);
  expect(text).toContain(`# TYPE mx2s_gateway_events_total counter
mx2s_gateway_events_total{outcome="handled"} 3
mx2s_gateway_events_total{outcome="failed"} 0
`);
  expect(text).toContain('mx2s_gateway_answers_total{outcome="accepted"} 2\n');
  expect(text).toContain('mx2s_gateway_sync_failures_total 1\n');
  expect(text).toContain('mx2s_gateway_waiting_events 5\n');
  expect(text).toContain('mx2s_gateway_lag_seconds 2.5\n');
  expect(text).toContain('mx2s_gateway_last_sync_timestamp_seconds 2.5\n');
  expect(text).toContain('mx2s_gateway_connected 1\n');
  for (const line of text.trimEnd().split('\n')) {
    expect(line).toMatch(/^(# (HELP|TYPE) mx2s_gateway_\w+ .+|mx2s_gateway_\w+(\{outcome="\w+"\})? [\d.]+)$/);
  }
});

it('has no lag when nothing waits', () => {
  expect(renderMetrics(createMetrics(), 5000)).toContain('mx2s_gateway_lag_seconds 0\n');
});

it('tells of the queue group, and of nothing else where no device is read', () => {
  const metrics = createMetrics(false);
  metrics.queue.events.handled = 4;
  metrics.queue.subjects = 2;
  metrics.queue.joined = 1;
  const text = renderMetrics(metrics, 0);
  expect(text).toContain('mx2s_gateway_queue_events_total{outcome="handled"} 4\n');
  expect(text).toContain('mx2s_gateway_queue_subjects 2\n');
  expect(text).toContain('mx2s_gateway_queue_joined 1\n');
  expect(text).not.toContain('mx2s_gateway_connected');
});

it('tells of handlers that cannot be reached', () => {
  const metrics = createMetrics(false);
  expect(renderMetrics(metrics, 0)).toContain('mx2s_gateway_unreachable_handlers 0\n');
  metrics.unreachable.add('http://a.test/').add('nats://b.test:4222/x');
  expect(missingFor(metrics)).toBe('cannot be reached: http://a.test/, nats://b.test:4222/x');
  expect(renderMetrics(metrics, 0)).toContain('mx2s_gateway_unreachable_handlers 2\n');
});

it.each([
  [{ isConnected: true, subjects: 0, joined: 0 }, undefined],
  [{ isConnected: false, subjects: 0, joined: 0 }, 'the homeserver does not answer'],
  [{ isConnected: true, subjects: 2, joined: 1 }, 'NATS does not answer'],
  [{ isConnected: undefined, subjects: 2, joined: 1 }, 'NATS does not answer'],
  [{ isConnected: undefined, subjects: 2, joined: 2 }, undefined],
])('says what is missing: %j', ({ isConnected, subjects, joined }, missing) => {
  const metrics = createMetrics();
  metrics.isConnected = isConnected;
  Object.assign(metrics.queue, { subjects, joined });
  expect(missingFor(metrics)).toBe(missing);
});
