import { describe, expect, it } from 'vitest';
import { db } from '../../src/platform/database/client.ts';
import { endExecution } from '../support/ended.ts';
import { endOf, mutate } from '../support/mutate.ts';
import { domain, launch } from '../support/seed.ts';
import { newUser } from '../support/users.ts';
import {
  ago,
  app,
  ended,
  exists,
  manager,
  plan,
  project,
  projectId,
  read,
  setStage,
  sweep,
  update,
} from './fixture.ts';

setStage();

describe('a retention policy', () => {
  it('is set, shown with who set it and when, replaced and removed, and each change is in the audit log', async () => {
    expect(await read()).toBeNull();
    const first = await update([{ keepFor: 'P30D' }]);
    expect(first.retention).toEqual({
      ...{ domain, deletedCount: '0', lastSweptAt: null, lastDeletedAt: null },
      ...{ setBy: { id: manager.id }, setAt: expect.any(String) },
      rules: [{ keepFor: 'PT720H', phases: [], labels: [], archivedOnly: false }],
    });
    expect(new Date(first.retention.setAt).getTime()).toBeGreaterThan(ago(1).getTime());
    const other = await newUser({ role: 'USER', level: 'MANAGE' });
    const labels = [{ key: 'tier', value: 'gold' }];
    await update([{ labels }, { keepFor: 'PT90M', phases: ['FAILED'] }], {}, other);
    expect(await read()).toMatchObject({
      setBy: { id: other.id },
      rules: [
        { keepFor: null, phases: [], labels, archivedOnly: false },
        { keepFor: 'PT1H30M', phases: ['FAILED'], labels: [], archivedOnly: false },
      ],
    });
    expect((await update([])).retention).toBeNull();
    expect(await read()).toBeNull();
    expect(endOf(await update([]))).toBe('OK');
    const events = await db.auditEvent.findMany({
      where: { targetId: projectId, action: 'retention:update' },
      orderBy: { id: 'asc' },
    });
    expect(events.map(({ before: was, after }) => [was !== null, after !== null])).toEqual([
      [false, true],
      [true, true],
      [true, false],
    ]);
  });

  it('is for one domain', async () => {
    await update([{ keepFor: 'P1D' }]);
    expect(await read(manager, 'production')).toBeNull();
    const id = await launch(app, project, 'one', { ...plan(), domain: 'production' });
    await endExecution(id, { at: ago(100) });
    await sweep();
    expect(await exists(id)).toBe(true);
  });

  it('requires MANAGE on the project to be set, and READ to be seen', async () => {
    await update([{ keepFor: 'P1D' }]);
    const editor = await newUser({ role: 'USER', level: 'EDIT' });
    expect(endOf(await update([], {}, editor))).toBe('PERMISSION_DENIED');
    expect(await read(editor)).toMatchObject({ rules: [{ keepFor: 'PT24H' }] });
    const stranger = await newUser({ role: 'USER', level: 'NO_PERMISSIONS' });
    expect(endOf(await update([], {}, stranger))).toBe('NOT_FOUND');
    expect(await read(stranger)).toBe('NOT_FOUND');
    expect(await read()).not.toBeNull();
  });

  it('tells how much it has deleted only who may set it, because that counts hidden executions, too', async () => {
    await ended(50);
    await update([{ keepFor: 'P1D' }]);
    await sweep();
    expect(await read()).toMatchObject({ deletedCount: '1', lastDeletedAt: expect.any(String) });
    const unknown = { deletedCount: null, lastDeletedAt: null, lastSweptAt: expect.any(String) };
    const editor = await newUser({ role: 'USER', level: 'EDIT' });
    expect(await read(editor)).toMatchObject(unknown);
    const elsewhere = await newUser({
      ...{ role: 'USER', level: 'MANAGE' },
      grants: [{ type: 'PROJECT', id: projectId, level: 'READ' }],
    });
    expect(await read(elsewhere)).toMatchObject(unknown);
  });

  it('is refused with all its problems', async () => {
    const answer = await update([
      { keepFor: 'PT59M' },
      { keepFor: 'P2D', phases: ['RUNNING'], labels: [{ key: 'tier', value: 'x' }] },
    ]);
    expect(answer).toMatchObject({
      code: 'INVALID_ARGUMENT',
      problems: [{ path: ['input', 'rules', '0', 'keepFor'] }, { path: ['input', 'rules', '1', 'phases'] }],
    });
    expect(await update([{ keepFor: 'P1D' }], { domain: 'nowhere' })).toMatchObject({
      code: 'INVALID_ARGUMENT',
      path: ['input', 'domain'],
    });
    expect(endOf(await update([], { domain: 'nowhere' }))).toBe('OK');
    expect(await read()).toBeNull();
  });

  it('may be set for an archived project', async () => {
    await mutate(app, 'updateProject', { by: { id: projectId }, state: 'ARCHIVED' });
    expect(endOf(await update([{ keepFor: 'P1D' }]))).toBe('OK');
  });

  it('is set by eight callers at once, and one of them is stored', async () => {
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, at) => update([{ keepFor: `P${at + 1}D` }])),
    );
    expect(answers.map(endOf)).toEqual(Array.from({ length: 8 }, () => 'OK'));
    expect(await db.retentionPolicy.count({ where: { projectId } })).toBe(1);
  });
});

describe('what a policy would delete', () => {
  it('is counted in a dry run, which changes nothing, and in the policy', async () => {
    const old = await ended(50);
    await ended(30);
    await ended(10);
    const blocked = await ended(60);
    await db.execution.update({ where: { id: blocked }, data: { notifyAt: new Date() } });
    const { endedAt, lastSequence } = await db.execution.findUniqueOrThrow({ where: { id: old } });
    const due = {
      ...{ executions: 2, events: String(lastSequence * 2n), isComplete: true },
      oldestEndedAt: endedAt?.toISOString(),
    };
    expect(await update([{ keepFor: 'P1D' }], { dryRun: true })).toMatchObject({ retention: null, due });
    expect(await read()).toBeNull();
    expect(await update([{ keepFor: 'P1D' }])).toMatchObject({ due });
    const none = { executions: 0, events: '0', oldestEndedAt: null, isComplete: true };
    expect(await update([{ keepFor: 'P9D' }], { dryRun: true })).toMatchObject({
      retention: { rules: [{ keepFor: 'PT24H' }] },
      due: none,
    });
    expect(await update([], { dryRun: true })).toMatchObject({ due: none });
    expect((await read()).due).toEqual(due);
    expect(await exists(old)).toBe(true);
  });

  it('leaves out what is hidden from the caller', async () => {
    const id = await ended(50);
    const { workflowEntityId } = await db.execution.findUniqueOrThrow({ where: { id } });
    const blind = await newUser({
      role: 'USER',
      level: 'MANAGE',
      grants: [{ type: 'WORKFLOW', id: workflowEntityId, level: 'NO_PERMISSIONS' }],
    });
    const rules = [{ keepFor: 'P1D' }];
    expect((await update(rules, { dryRun: true }, blind)).due.executions).toBe(0);
    expect((await update(rules, { dryRun: true })).due.executions).toBe(1);
  });
});
