import { describe, expect, it } from 'vitest';
import { statement } from '../../../src/platform/database/statement.ts';

const MAX_NAME = 63;

describe('statement', () => {
  it('gives each text its own name, short enough for PostgreSQL', () => {
    const long = `select ${'1 + '.repeat(100)}`;
    const names = ['select 1', 'select 2', `${long}1`, `${long}2`].map((text) => statement(text).name);
    expect(new Set(names).size).toBe(names.length);
    for (const name of names) expect(name.length).toBeLessThanOrEqual(MAX_NAME);
  });

  it('gives the same text the same name', () => {
    expect(statement('select 3')).toBe(statement('select 3'));
  });
});
