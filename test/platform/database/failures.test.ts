import { describe, expect, it } from 'vitest';
import {
  isDatabaseLost,
  isForeignKeyViolation,
  isUniqueViolation,
  isWriteConflict,
  sqlState,
} from '../../../src/platform/database/failures.ts';

/** An error of pg, as it comes from the pool. */
const ofPg = (code: string) => Object.assign(new Error('refused'), { code });
/** An error of Prisma with a code of its own. */
const ofPrisma = (code: string, more: object = {}) =>
  Object.assign(new Error('refused'), { name: 'PrismaClientKnownRequestError', code, ...more });
/** An error of Prisma for a raw statement. It has PostgreSQL's code in its cause. */
const ofRaw = (originalCode: string) =>
  ofPrisma('P2010', { meta: { driverAdapterError: { cause: { originalCode, kind: 'postgres' } } } });
const within = (levels: number, cause: unknown): unknown =>
  levels === 0 ? cause : new Error('outer', { cause: within(levels - 1, cause) });

const kinds = { isUniqueViolation, isForeignKeyViolation, isWriteConflict, isDatabaseLost };
const meaningOf = (error: unknown) =>
  Object.entries(kinds).flatMap(([name, is]) => (is(error) ? [name] : []));

describe('the meaning of an error', () => {
  it.each([
    [['isUniqueViolation'], 'P2002', '23505'],
    [['isForeignKeyViolation'], 'P2003', '23503'],
    [['isWriteConflict'], 'P2034', '40P01'],
    [['isWriteConflict'], 'P2034', '40001'],
    [['isDatabaseLost'], 'P2024', '08006'],
    [['isDatabaseLost'], 'P1001', '57P01'],
    [['isDatabaseLost'], 'P2028', '53300'],
    [[], 'P2025', '22P02'],
  ])('is %j for %s of Prisma and %s of PostgreSQL, wherever it stands', (meaning, prismaCode, state) => {
    expect(meaningOf(ofPrisma(prismaCode))).toEqual(meaning);
    expect(meaningOf(ofPg(state))).toEqual(meaning);
    expect(meaningOf(ofRaw(state))).toEqual(meaning);
    expect(meaningOf(ofPrisma('P2010', { meta: { code: state } }))).toEqual(meaning);
    expect(meaningOf(within(2, ofPg(state)))).toEqual(meaning);
  });

  it.each([
    ofPg('ECONNREFUSED'),
    ofPg('ECONNRESET'),
    within(2, ofPg('EPIPE')),
    ofPg('UNAVAILABLE'),
    new Error('Connection terminated unexpectedly'),
    new Error('timeout exceeded when trying to connect'),
    new Error('the database system is starting up'),
    new AggregateError([new Error('other'), ofPg('ECONNREFUSED')]),
  ])('is that the database is lost: %o', (error) => {
    expect(meaningOf(error)).toEqual(['isDatabaseLost']);
  });

  it.each([
    null,
    undefined,
    'ECONNREFUSED',
    new Error('a fault of ours'),
    ofPg('EACCES'),
    Object.assign(new Error('not of Prisma'), { code: 'P1001' }),
    Object.assign(new Error('numbers'), { code: 23505 }),
    Object.assign(new Error('words'), { code: 'unique', message: 5 }),
    new AggregateError([new Error('other')]),
  ])('is none of these: %o', (error) => {
    expect(meaningOf(error)).toEqual([]);
    expect(sqlState(error)).toBeNull();
  });

  it('is looked for in the nearest causes of an error, because a chain of causes may go round in a circle', () => {
    expect(sqlState(within(5, ofPg('23505')))).toBe('23505');
    expect(isDatabaseLost(within(5, ofPg('ECONNREFUSED')))).toBe(true);
    expect(sqlState(within(6, ofPg('23505')))).toBeNull();
    expect(isDatabaseLost(within(6, ofPg('ECONNREFUSED')))).toBe(false);
    expect(sqlState(within(20, ofPg('23505')))).toBeNull();
    expect(isDatabaseLost(within(20, ofPg('ECONNREFUSED')))).toBe(false);
  });
});
