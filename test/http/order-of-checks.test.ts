/**
 * The edge checks cheap things first (ARCHITECTURE.md, "Following an operation through the edge"). A request that several
 * steps would refuse is refused by the first of them.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { refusal } from '../../src/http/answer.ts';
import { LONG_BODY_BYTES, LONG_DOCUMENT_CHARACTERS, turns } from '../../src/http/turns.ts';
import { unreadAnswers } from '../../src/http/unread-answers.ts';
import { type App, startApp } from '../support/app.ts';

vi.hoisted(() => {
  process.env['QUERY_TOKEN_LIMIT'] = '200';
});

let app: App;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
});
afterAll(() => app.stop());
afterEach(() => {
  vi.restoreAllMocks();
});

/** A request, in the parts that the steps look at. */
interface Sent {
  authorization: string | null;
  type: string;
  body: string | null;
  query: unknown;
  operationName: string;
  variables: Record<string, unknown>;
  /** How many spaces follow the JSON. */
  pad: number;
}

interface Step {
  readonly name: string;
  /** Makes this step refuse the request. Later steps may change the same part, so they are applied first. */
  wrong(sent: Sent): void;
  readonly says: RegExp;
}

const valid = (): Sent => ({
  authorization: app.admin,
  type: 'application/json',
  body: null,
  query: 'query Asked($n: Int) { projects(first: $n) { nodes { id } } }',
  operationName: 'Asked',
  variables: { n: 1 },
  pad: 0,
});

const edit = (sent: Sent, from: string, to: string) => {
  sent.query = String(sent.query).replace(from, to);
};

const refuseTurns = () => {
  const refuse = () =>
    Promise.reject(refusal('RESOURCE_EXHAUSTED', 'too many long requests wait for their turn'));
  vi.spyOn(turns, 'begin').mockImplementation(refuse);
  vi.spyOn(turns, 'beginQuery').mockImplementation(refuse);
};

const steps: readonly Step[] = [
  {
    name: 'the credentials',
    wrong: (sent) => {
      sent.authorization = 'Bearer wrong';
    },
    says: /credentials are not valid|token/,
  },
  {
    name: 'the content type',
    wrong: (sent) => {
      sent.type = 'text/plain';
    },
    says: /content type must be application\/json/,
  },
  {
    name: 'the turn of a long body',
    wrong: (sent) => {
      sent.pad = LONG_BODY_BYTES;
      refuseTurns();
    },
    says: /wait for their turn/,
  },
  {
    name: 'the JSON of the body',
    wrong: (sent) => {
      sent.body = '{';
    },
    says: /body is not valid JSON/,
  },
  {
    name: 'the parameters',
    wrong: (sent) => {
      sent.query = 5;
    },
    says: /query must be a text/,
  },
  {
    name: 'the room for the answer',
    wrong: () => {
      vi.spyOn(unreadAnswers, 'requireRoom').mockImplementation(() => {
        throw refusal('RESOURCE_EXHAUSTED', 'too many answers wait');
      });
    },
    says: /too many answers wait/,
  },
  {
    name: 'the turn of a long document',
    wrong: (sent) => {
      edit(sent, 'query Asked', `#${'x'.repeat(LONG_DOCUMENT_CHARACTERS)}\nquery Asked`);
      refuseTurns();
    },
    says: /wait for their turn/,
  },
  {
    name: 'the number of tokens',
    wrong: (sent) => edit(sent, 'projects', `${'id '.repeat(200)} projects`),
    says: /at most 200 tokens/,
  },
  {
    name: 'the syntax',
    wrong: (sent) => edit(sent, '}', '} }'),
    says: /Syntax Error/,
  },
  {
    name: 'validation',
    wrong: (sent) => edit(sent, 'id', 'id shoeSize'),
    says: /Cannot query field/,
  },
  {
    name: 'the named operation',
    wrong: (sent) => {
      sent.operationName = 'Other';
    },
    says: /no operation with the name/,
  },
  {
    name: 'the cost',
    wrong: (sent) =>
      edit(
        sent,
        'nodes { id',
        'nodes { id workflows(first: 1000) { nodes { id executions(first: 1000) { totalCount } } }',
      ),
    says: /can cost/,
  },
  {
    name: 'the turn of an operation of high cost',
    wrong: (sent) => {
      edit(sent, 'nodes { id', 'nodes { id long: workflows(first: 100) { nodes { id } }');
      refuseTurns();
    },
    says: /wait for their turn/,
  },
  {
    name: 'the variables',
    wrong: (sent) => {
      sent.variables = { n: 'x' };
    },
    says: /^n: the value must be a valid Int/,
  },
  {
    name: 'the field',
    wrong: (sent) => {
      sent.variables = { n: 5000 };
    },
    says: /first must be between/,
  },
];

async function messageFor(sent: Sent): Promise<string> {
  const { authorization, type, body, pad, ...parameters } = sent;
  const answer = await fetch(`${app.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': type, ...(authorization ? { authorization } : {}) },
    body: `${body ?? JSON.stringify(parameters)}${' '.repeat(pad)}`,
  });
  const { errors = [] } = (await answer.json()) as {
    readonly errors?: readonly { readonly message: string }[];
  };
  return errors[0]?.message ?? 'no error';
}

/** @param wrong  applied from the last step to the first, because the last ones change the smallest parts. */
async function refusalOf(wrong: readonly Step[]): Promise<string> {
  const sent = valid();
  for (const step of [...wrong].reverse()) step.wrong(sent);
  return await messageFor(sent);
}

describe('a request', () => {
  it('is answered if no step refuses it', async () => {
    expect(await messageFor(valid())).toBe('no error');
  });

  it.each(steps.map((step) => [step.name, step] as const))(
    'is refused by one step: %s',
    async (_name, step) => {
      expect(await refusalOf([step])).toMatch(step.says);
    },
  );

  const neighbours = steps.slice(0, -1).map((step, at) => [step, steps[at + 1] as Step] as const);
  it.each(neighbours.map(([first, second]) => [first.name, second.name, first, second] as const))(
    'is refused by %s before %s',
    async (_first, _second, first, second) => {
      expect(await refusalOf([first, second])).toMatch(first.says);
      expect(await refusalOf(steps.slice(steps.indexOf(first)))).toMatch(first.says);
    },
  );
});
