import { describe, expect, it } from 'vitest';
import { newId } from '../../src/platform/ids.ts';
import { toTaskEvents } from '../../src/scheduler/attempt-events.ts';

const createdAt = new Date('2026-11-22T10:00:05.000Z');
const event = (detail: object, kind = 'RUNNING', clientId: string | null = `${newId()}/1`) => ({
  sequence: 7n,
  jobId: newId(),
  clientId,
  kind,
  detail: detail as Record<string, unknown>,
  createdAt,
});

describe('events of attempts', () => {
  it('have the time that the executor reported, or the time of the job event', () => {
    const [reported] = toTaskEvents([event({ occurredAt: '2026-11-22T10:00:01.250Z' })]);
    expect(reported?.at).toEqual(new Date('2026-11-22T10:00:01.250Z'));
    const [ours] = toTaskEvents([event({}, 'LEASED')]);
    expect(ours?.at).toEqual(createdAt);
  });

  it('wait again after a lease that has ended, unless the job has ended with it', () => {
    expect(toTaskEvents([event({ requeued: true }, 'LEASE_EXPIRED')])).toMatchObject([{ phase: 'QUEUED' }]);
    expect(toTaskEvents([event({ requeued: false }, 'LEASE_EXPIRED')])).toEqual([]);
  });

  it('fail when another job took the place', () => {
    const [preempted] = toTaskEvents([event({}, 'PREEMPTED')]);
    expect(preempted).toMatchObject({ phase: 'FAILED', error: { code: 'Preempted', kind: 'SYSTEM' } });
    const [running] = toTaskEvents([event({})]);
    expect(running?.error).toBeNull();
  });

  it('leave out job events that say nothing about an attempt, and keep their sequence', () => {
    expect(toTaskEvents([event({}, 'CANCELLING'), event({}, 'RUNNING', 'mine')])).toEqual([]);
    expect(toTaskEvents([event({})])).toMatchObject([{ sequence: 7n, attempt: 1, phase: 'RUNNING' }]);
  });
});
