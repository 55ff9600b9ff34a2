import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileTask } from '../../src/registry/domain/compile-task.ts';
import { compileWorkflow } from '../../src/registry/domain/compile-workflow.ts';
import { digestOf } from '../../src/registry/domain/digest.ts';
import { readWorkflowTemplate } from '../../src/registry/domain/read-workflow-templates.ts';
import { canonicalJson } from '../../src/values/canonical-json.ts';
import { aNode, aTask, string, value } from './workflows.ts';

const json = fc.jsonValue({ noUnicodeString: false, maxDepth: 4 });

/** The same document with its keys in another order. */
function reordered(document: unknown): unknown {
  if (Array.isArray(document)) return document.map(reordered);
  if (typeof document !== 'object' || document === null) return document;
  const entries = Object.entries(document).map(([key, member]) => [key, reordered(member)] as const);
  return Object.fromEntries(entries.reverse());
}

describe('canonicalJson', () => {
  it('is JSON of the same document', () => {
    fc.assert(
      fc.property(json, (document) => {
        expect(JSON.parse(canonicalJson(document))).toEqual(JSON.parse(JSON.stringify(document)));
      }),
    );
  });

  it('does not depend on the order of keys', () => {
    fc.assert(
      fc.property(json, (document) => {
        expect(canonicalJson(reordered(document))).toBe(canonicalJson(document));
      }),
    );
  });

  it('differs for different documents', () => {
    const documents = [
      { a: 1 },
      { a: '1' },
      { a: [1] },
      { a: { a: 1 } },
      {},
      [],
      null,
      { a: null },
      { b: 1 },
    ];
    expect(new Set(documents.map(canonicalJson)).size).toBe(documents.length);
  });

  it('keeps a key named __proto__, and leaves out undefined values', () => {
    expect(canonicalJson(JSON.parse('{"b": 1, "__proto__": {"a": 2}}'))).toBe('{"__proto__":{"a":2},"b":1}');
    expect(canonicalJson({ b: undefined, a: [undefined] })).toBe('{"a":[null]}');
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, 1n, () => 1])(
    'refuses values that JSON cannot represent',
    (document) => {
      expect(() => canonicalJson({ document })).toThrow(TypeError);
    },
  );
});

describe('digestOf', () => {
  const nodes = [
    aNode('a', 'load', { path: value('x') }),
    aNode('b', 'tick'),
    aNode('c', 'tick', {}, { upstreamNodeIds: ['a', 'b'] }),
  ];
  const tasks = [aTask('load', { path: string }), aTask('tick')];
  const workflow = (written: object, using = tasks) =>
    digestOf(compileWorkflow(readWorkflowTemplate({ interface: {}, ...written }), { tasks: using }));

  it('is SHA-256 in hex', () => {
    expect(digestOf({})).toBe('44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a');
  });

  it('is the same for a workflow written in another order', () => {
    const other = reordered({ nodes: [nodes[0], nodes[1], { ...nodes[2], upstreamNodeIds: ['b', 'a'] }] });
    expect(workflow(other as object, [...tasks].reverse())).toBe(workflow({ nodes }));
  });

  it('changes with a binding, a policy, or a task', () => {
    const digests = [
      workflow({ nodes }),
      workflow({ nodes: [aNode('a', 'load', { path: value('y') }), ...nodes.slice(1)] }),
      workflow({ nodes, metadata: { onFailure: 'FAIL_AFTER_EXECUTABLE_NODES_COMPLETE' } }),
      workflow({ nodes }, [aTask('load', { path: string }, { rows: string }), aTask('tick')]),
    ];
    expect(new Set(digests).size).toBe(digests.length);
  });

  it('is the same for a task whose resources and ignored inputs come in another order', () => {
    const task = (...order: [number, number]) => {
      const amounts = [
        { name: 'CPU', value: '1' },
        { name: 'MEMORY', value: '1Gi' },
      ];
      const requests = order.map((index) => amounts[index]);
      const metadata = { cacheIgnoreInputVars: order.map(String) };
      return digestOf(
        compileTask({
          type: 't',
          metadata,
          interface: {},
          container: { image: 'i', resources: { requests } },
        }),
      );
    };
    expect(task(0, 1)).toBe(task(1, 0));
  });
});
