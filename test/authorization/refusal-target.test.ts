import { describe, expect, it } from 'vitest';
import { refusalTargetOf } from '../../src/authorization/can.ts';
import type { Target } from '../../src/authorization/domain/resources.ts';
import { newId } from '../../src/platform/ids.ts';

/** What the audit log says about the object of a call that a command refuses after its rule. */
describe('refusalTargetOf', () => {
  const [tenantId, projectId, workflowId] = [newId(), newId(), newId()];
  const project: Target = { tenantId, resources: [{ type: 'PROJECT', id: projectId }] };
  const workflow: Target = {
    tenantId,
    resources: [{ type: 'WORKFLOW', id: workflowId }, ...project.resources],
  };

  it('has the id of the nearest resource if this is the object itself', async () => {
    expect(await refusalTargetOf({ kind: 'project', key: 'demo', target: async () => project })).toEqual({
      type: 'project',
      id: projectId,
      name: 'demo',
    });
  });

  it('has no id if the grants on another object decide', async () => {
    expect(
      await refusalTargetOf({ kind: 'launch plan', key: 'train', target: async () => workflow }),
    ).toEqual({ type: 'launch plan', id: null, name: 'train' });
  });

  it('has the id that was found for an object without grants, and otherwise the id that addresses it', async () => {
    const [groupId, otherId] = [newId(), newId()];
    const lookUp = async () => ({ id: groupId, isHidden: false });
    expect(await refusalTargetOf({ kind: 'group', key: 'team', lookUp })).toMatchObject({ id: groupId });
    expect(await refusalTargetOf({ kind: 'group', key: otherId, lookUp: async () => null })).toMatchObject({
      id: otherId,
    });
    expect(await refusalTargetOf({ kind: 'group', key: 'team', id: otherId })).toMatchObject({ id: otherId });
  });
});
