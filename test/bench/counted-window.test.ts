import { describe, expect, it } from 'vitest';
import { CountedWindow, type Sample } from '../../bench/run/counted-window.ts';

/** A server that takes 2 ms of CPU for each answer, and its database 1 ms. The bench takes 0.5 ms, and others 3 ms. */
const spentAfter = (answers: number): Sample => ({
  ...{ at: answers * 10, server: answers * 2, database: answers, ours: answers / 2 },
  machine: answers * 6.5,
});

/** Two connections answer in turns, one answer each 10 ms. Answer number n took n ms. */
function answersOf(extent: { seconds: number; share?: number }, most = 1000) {
  let answers = 0;
  const window = new CountedWindow({ connections: 2, share: null, ...extent }, () => spentAfter(answers));
  let isOver = false;
  while (!isOver && answers < most) {
    answers += 1;
    isOver = window.answered(answers % 2, answers, answers * 10);
  }
  return { answers, isOver, window: window.result(80) };
}

describe('a window', () => {
  it('begins after one answer for each connection, and counts those that come after it', () => {
    const { answers, window } = answersOf({ seconds: 1 });
    expect(answers).toBe(102);
    expect(window).toEqual({
      ...{ requestsPerSecond: 100, serverCpu: 2, databaseCpu: 1, p50: 52, p99: 101 },
      ...{ megabytes: 80, foreign: 0.3 },
    });
  });

  it('becomes longer until there are as many answers as connections', () => {
    expect(answersOf({ seconds: 0.001 }).answers).toBe(4);
  });

  it('ends when a connection has sent its share, so that nothing is sent twice', () => {
    expect(answersOf({ seconds: 60, share: 20 })).toMatchObject({ answers: 39, isOver: true });
  });

  it('says nothing before it is over', () => {
    expect(answersOf({ seconds: 60 }, 100)).toMatchObject({ isOver: false, window: null });
  });
});
