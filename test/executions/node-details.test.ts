import { describe, expect, it } from 'vitest';
import { mergeNodeDetails, type NodeDetails } from '../../src/executions/domain/node-details.ts';

const said: NodeDetails = { name: 'Told', isArray: true, inputUri: 's3://i', outputUri: 's3://o' };

describe('the details of a node', () => {
  it.each<[string, NodeDetails | null, NodeDetails, NodeDetails]>([
    ['are nothing if the engine says nothing', null, {}, {}],
    ['are what its first event says', null, said, said],
    ['stay if an event says nothing', said, {}, said],
    ['stay if an event leaves them empty', said, { name: '', isArray: false, outputUri: undefined }, said],
    [
      'are replaced by later events',
      said,
      { name: 'Again', isEager: true },
      { ...said, name: 'Again', isEager: true },
    ],
    ['keep the first inputs', said, { inputUri: 's3://other' }, said],
    ['have no empty texts', null, { name: '', inputUri: '' }, {}],
  ])('%s', (_what, stored, event, merged) => {
    expect(mergeNodeDetails(stored, event)).toStrictEqual(merged);
  });
});
