import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { create, toBinary } from '@bufbuild/protobuf';
import { Header } from 'tar';
import { onTestFinished } from 'vitest';
import { LaunchPlanSchema } from '../../src/generated/proto/flyteidl/admin/launch_plan_pb.ts';
import { TaskSpecSchema } from '../../src/generated/proto/flyteidl/admin/task_pb.ts';
import { WorkflowSpecSchema } from '../../src/generated/proto/flyteidl/admin/workflow_pb.ts';
import { ResourceType } from '../../src/generated/proto/flyteidl/core/identifier_pb.ts';
import { SimpleType } from '../../src/generated/proto/flyteidl/core/types_pb.ts';

interface Entry {
  readonly path: string;
  readonly content?: string | Uint8Array;
  readonly type?: 'File' | 'OldFile' | 'SymbolicLink' | 'Link' | 'CharacterDevice' | 'FIFO' | 'Directory';
  /** Instead of the length of the content. */
  readonly size?: number;
}

/** A tar archive with exactly these entries, which no tool would write. */
export function tarOf(entries: readonly Entry[]): Buffer {
  const blocks = entries.flatMap(({ path, content = '', type = 'File', size }) => {
    const bytes = Buffer.from(content);
    const header = new Header({
      path,
      type,
      size: size ?? bytes.length,
      mode: 0o644,
      ...(type.endsWith('Link') && { linkpath: '/etc/passwd' }),
    });
    header.encode();
    const padding = Buffer.alloc((512 - (bytes.length % 512)) % 512);
    return [header.block ?? Buffer.alloc(512), bytes, padding];
  });
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}

export const writeArchive = (path: string, entries: readonly Entry[]) =>
  writeFileSync(path, gzipSync(tarOf(entries)));

/** A folder with these files. It goes when the test ends. */
export function temporaryFolder(files: Readonly<Record<string, Uint8Array>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'slipway-package-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
  return folder;
}

/** A key as `pyflyte package` writes it. */
const openKey = (resourceType: ResourceType, name: string) => ({
  resourceType,
  name,
  project: '{{ registration.project }}',
  domain: '{{ registration.domain }}',
  version: '{{ registration.version }}',
});

const integerOutput = {
  outputs: { variables: { y: { type: { type: { case: 'simple' as const, value: SimpleType.INTEGER } } } } },
};

/** A workflow with nodes that run the task; the first one gives the output `y`. */
export const workflowFile = (name: string, task: string, nodeIds: readonly string[] = ['n0']) =>
  toBinary(
    WorkflowSpecSchema,
    create(WorkflowSpecSchema, {
      template: {
        id: openKey(ResourceType.WORKFLOW, name),
        metadata: {},
        interface: integerOutput,
        nodes: nodeIds.map((id) => ({
          id,
          target: {
            case: 'taskNode' as const,
            value: { reference: { case: 'referenceId' as const, value: openKey(ResourceType.TASK, task) } },
          },
        })),
        outputs: [{ var: 'y', binding: { value: { case: 'promise', value: { nodeId: 'n0', var: 'y' } } } }],
      },
    }),
  );

export const launchPlanFile = (name: string, workflow: string) =>
  toBinary(
    LaunchPlanSchema,
    create(LaunchPlanSchema, {
      id: openKey(ResourceType.LAUNCH_PLAN, name),
      spec: { workflowId: openKey(ResourceType.WORKFLOW, workflow) },
    }),
  );

/** A task as `pyflyte package` writes it, without inputs. It may have an output `y`. */
export const taskFile = (
  name: string,
  image = 'a',
  resourceType: ResourceType = ResourceType.TASK,
  hasOutput = false,
) =>
  toBinary(
    TaskSpecSchema,
    create(TaskSpecSchema, {
      template: {
        id: openKey(resourceType, name),
        type: 'container',
        metadata: {},
        interface: hasOutput ? integerOutput : {},
        target: {
          case: 'container',
          value: { image, args: hasOutput ? ['run'] : [], config: [{ key: 'a', value: 'b' }] },
        },
      },
    }),
  );
