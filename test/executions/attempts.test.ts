import { describe, expect, it } from 'vitest';
import { judgeAttempt } from '../../src/executions/domain/attempts.ts';
import { attemptOf, clientIdOf } from '../../src/executions/domain/client-id.ts';
import type { ErrorKind } from '../../src/generated/prisma/enums.ts';
import { integer, variables } from '../registry/workflows.ts';

const report = { attempt: 0, error: null, outputs: null };
const node = { retries: 1, outputs: variables({ y: integer, z: integer }) };
const judge = (changes: object, retries = 1) =>
  judgeAttempt({ ...node, retries }, { ...report, phase: 'FAILED', ...changes }, 1000);
const integerLiteral = (value: number) => ({ scalar: { primitive: { integer: `${value}` } } });

describe('an attempt that failed', () => {
  it.each<[ErrorKind, number, number, string]>([
    ['USER', 0, 0, 'FAILED'],
    ['USER', 0, 1, 'RETRYABLE_FAILED'],
    ['USER', 1, 1, 'FAILED'],
    ['USER', 1, 2, 'RETRYABLE_FAILED'],
    ['SYSTEM', 0, 1, 'FAILED'],
    ['UNKNOWN', 0, 1, 'FAILED'],
  ])('with an error of the kind %s, as number %i of %i retries, is %s', (kind, attempt, retries, phase) => {
    const error = { code: 'c', message: 'm', kind };
    expect(judge({ error, attempt }, retries)).toMatchObject({ phase, error, outputs: null });
  });

  it('without an error has one that says so, and is not tried again', () => {
    expect(judge({})).toMatchObject({
      phase: 'FAILED',
      error: { code: 'Unknown', message: 'the run failed and gave no reason', kind: 'UNKNOWN' },
    });
  });
});

describe('the outputs of an attempt', () => {
  it('are plain values or literals', () => {
    const given = { phase: 'SUCCEEDED', outputs: { y: 1 }, outputLiterals: { z: integerLiteral(2) } };
    expect(judge(given)).toMatchObject({
      phase: 'SUCCEEDED',
      outputs: { y: integerLiteral(1), z: integerLiteral(2) },
      error: null,
    });
  });

  it('are wrong if one is missing, and the attempt is tried again', () => {
    expect(judge({ phase: 'SUCCEEDED', outputs: { y: 1 } })).toMatchObject({
      phase: 'RETRYABLE_FAILED',
      outputs: null,
      error: { code: 'OutputsInvalid', kind: 'USER' },
    });
  });
});

describe('the client id of a job', () => {
  const id = '00000000-0000-7000-8000-000000000000';

  it('tells the attempt that it runs', () => {
    for (const attempt of [0, 7, 9999])
      expect(attemptOf(clientIdOf(id, attempt))).toEqual({ nodeExecutionId: id, attempt });
  });

  it.each([null, '', id, `${id}/`, `${id}/x`, `${id}/10000`, `${id}/1/2`, 'other/1', `x${id}/1`])(
    'tells nothing if it has another form: %j',
    (clientId) => {
      expect(attemptOf(clientId)).toBeNull();
    },
  );
});
