import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fromBinary, fromJson, toBinary, toJson } from '@bufbuild/protobuf';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { entitiesOf, type PackageEntity } from '../../src/cli/flyte/package-entities.ts';
import { readPackage } from '../../src/cli/flyte/package-files.ts';
import { LaunchPlanSpecSchema } from '../../src/generated/proto/flyteidl/admin/launch_plan_pb.ts';
import { TaskSpecSchema } from '../../src/generated/proto/flyteidl/admin/task_pb.ts';
import { WorkflowSpecSchema } from '../../src/generated/proto/flyteidl/admin/workflow_pb.ts';
import { isRecord } from '../../src/values/json.ts';
import { type Answer, type LocalApp, startApp } from '../support/app.ts';
import { needs } from '../support/require.ts';
import { slipway } from './command-line.ts';

const script = resolve(import.meta.dirname, '../fixtures/flytekit/package.sh');
const schemas = {
  task: TaskSpecSchema,
  workflow: WorkflowSpecSchema,
  'launch plan': LaunchPlanSpecSchema,
} as const;

describe.runIf(needs('flytekit', 'packages of flytekit'))(
  'slipway register, for a package of flytekit',
  () => {
    let app: LocalApp;
    let folder: string;
    let file: string;
    let entities: PackageEntity[];

    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), 'slipway-flytekit-'));
      file = join(folder, 'package.tgz');
      execFileSync(script, [file], { stdio: 'pipe' });
      app = await startApp({ scheduler: false });
      await app.ask(
        'mutation { registerProject(input: { identifier: "demo", name: "demo" }) { __typename } }',
      );
      entities = entitiesOf(await readPackage(file), {
        project: 'demo',
        domain: 'development',
        version: 'v1',
      });
    });

    afterAll(async () => {
      await app?.stop();
      rmSync(folder, { recursive: true, force: true });
    });

    const register = () =>
      slipway(['register', file, '--version', 'v1', '-o', 'json'], {
        SLIPWAY_URL: app.url,
        SLIPWAY_TOKEN: app.admin.replace('Bearer ', ''),
        SLIPWAY_PROJECT: 'demo',
        SLIPWAY_DOMAIN: 'development',
      });

    const outcomes = (text: string) => JSON.parse(text).map(({ outcome }: Answer) => outcome);

    it('registers all entities, and nothing when it is repeated', async () => {
      const first = await register();
      expect(first.code, first.err).toBe(0);
      expect(outcomes(first.out)).toEqual(entities.map(() => 'new'));

      const second = await register();
      expect(outcomes(second.out)).toEqual(entities.map(() => 'unchanged'));
      expect(second.code).toBe(0);
    });

    it('gives back what the package says', async () => {
      for (const entity of entities)
        expect({ name: entity.key.name, flyte: await storedOf(entity) }).toEqual({
          name: entity.key.name,
          flyte: essential(entity.flyte),
        });
    });

    async function storedOf({ kind, key }: PackageEntity) {
      const field = { task: 'task', workflow: 'workflow', 'launch plan': 'launchPlan' }[kind];
      const { data } = await app.ask(
        `query ($key: EntityKeyInput!) { found: ${field}(by: { key: $key }) { flyte } }`,
        { key },
      );
      const { flyte } = data.found;
      const schema = schemas[kind];
      // As bytes, because protobuf has shorter floating-point numbers.
      return essential(toJson(schema, fromBinary(schema, toBinary(schema, fromJson(schema, flyte)))));
    }
  },
);

/**
 * Without empty messages, which mean nothing where flytekit writes them, without the name of the start node, and without
 * the variant of a union: our compiler adds both.
 */
function essential(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(essential);
  if (!isRecord(value)) return value;
  const { scalar } = value;
  if (isRecord(scalar) && isRecord(scalar['union'])) return essential(scalar['union']['value']);
  const entries = Object.entries(value).map(([key, one]) => [key, sorted(key, essential(one))] as const);
  return Object.fromEntries(
    entries.filter(
      ([key, one]) =>
        one !== 'start-node' && (key === 'noneType' || !isRecord(one) || Object.keys(one).length > 0),
    ),
  );
}

/** The lists whose order means nothing, which our compiler sorts. */
const unordered = [
  'requests',
  'limits',
  'upstreamNodeIds',
  'boundInputs',
  'cacheIgnoreInputVars',
  'subWorkflows',
];

const sorted = (key: string, value: unknown) =>
  Array.isArray(value) && unordered.includes(key)
    ? [...value].sort((one, other) => (JSON.stringify(one) < JSON.stringify(other) ? -1 : 1))
    : value;
