import { describe, expect, it } from 'vitest';
import { readOptions } from '../../bench/run/options.ts';

describe('the options', () => {
  it('have a default for everything', () => {
    expect(readOptions([])).toMatchObject({
      ...{ scale: 1, short: false, connections: 32, smaller: null, out: 'bench/results' },
      servers: ['slipway', 'limit', 'mercurius', 'apollo', 'postgraphile'],
      workloads: ['V0', 'Q1', 'Q2', 'Q3', 'Q4', 'M1', 'pages', 'oauth', 'jobs'],
    });
  });

  it('of the short form are little data, the limit as the only peer, and the workloads that have gates', () => {
    expect(readOptions(['--short'])).toMatchObject({
      ...{ scale: 0.1, short: true, servers: ['slipway', 'limit'] },
      workloads: ['V0', 'Q1', 'Q2', 'Q3', 'Q4', 'M1'],
    });
  });

  it('override those of the short form', () => {
    const given = [
      '--short',
      '--scale',
      '2',
      '--seconds',
      '5',
      '--servers',
      'apollo',
      '--workloads',
      'Q2,V0',
    ];
    expect(readOptions(given)).toMatchObject({
      ...{ scale: 2, windowSeconds: 5, servers: ['apollo'], workloads: ['V0', 'Q2'] },
    });
  });

  it.each([
    [['--scale', '0'], '--scale must be a number above 0'],
    [['--seconds', 'two'], '--seconds must be a number above 0'],
    [['--servers', 'slipway,hasura'], '--servers must be a list of these: slipway, limit, mercurius'],
    [['--workloads', ''], '--workloads must be a list of these: V0'],
    [['--fast'], "Unknown option '--fast'"],
  ])('%j are refused', (args, message) => {
    expect(() => readOptions(args)).toThrow(message);
  });
});
