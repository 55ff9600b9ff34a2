import { describe, expect, it } from 'vitest';
import { type JobRequest, roundedPriority, submissionProblems } from '../../src/jobs/domain/submission.ts';

const jobs = (count: number, job: Partial<JobRequest> = {}): JobRequest[] =>
  Array.from({ length: count }, () => ({ clientId: null, priority: 0, ...job }));
const classes = [{ name: 'usual', priority: 1000, isPreemptible: false }];
const pathsOf = (jobSet: string, asked: JobRequest[]) =>
  submissionProblems({ name: jobSet, ownerId: null }, asked, classes, ['input']).map(({ path }) =>
    path.join('.'),
  );

describe('a submission', () => {
  it.each([
    ['a job set with a name of one character', 'x', jobs(1)],
    ['a job set with a name of 1023 characters', 'x'.repeat(1023), jobs(1)],
    ['1000 jobs', 'x', jobs(1000)],
    ['a client id of one character', 'x', jobs(1, { clientId: 'c' })],
    ['a client id of 100 characters', 'x', jobs(1, { clientId: 'c'.repeat(100) })],
  ])('may have %s', (_what, jobSet, asked) => {
    expect(pathsOf(jobSet, asked)).toEqual([]);
  });

  it.each([
    ['a job set without a name', '', jobs(1), 'input.jobSet'],
    ['a job set with a name of 1024 characters', 'x'.repeat(1024), jobs(1), 'input.jobSet'],
    ['no jobs', 'x', [], 'input.jobs'],
    ['1001 jobs', 'x', jobs(1001), 'input.jobs'],
    ['an empty client id', 'x', jobs(1, { clientId: '' }), 'input.jobs.0.clientId'],
    ['a client id of 101 characters', 'x', jobs(1, { clientId: 'c'.repeat(101) }), 'input.jobs.0.clientId'],
    ['an endless priority', 'x', jobs(1, { priority: Number.POSITIVE_INFINITY }), 'input.jobs.0.priority'],
  ])('is refused with %s, and the field is named', (_what, jobSet, asked, path) => {
    expect(pathsOf(jobSet, asked)).toEqual([path]);
  });
});

describe('the priority of a job', () => {
  it.each([
    [-1, 0],
    [0.4, 0],
    [0.5, 1],
    [4_294_967_294.4, 4_294_967_294],
    [4_294_967_295, 4_294_967_295],
    [4_294_967_296, 4_294_967_295],
  ])('is rounded and kept within 32 bits: %d becomes %d', (priority, stored) => {
    expect(roundedPriority(priority)).toBe(stored);
  });
});
