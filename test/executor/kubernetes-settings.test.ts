/** What the kubernetes runtime needs before it starts. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { connect } from '../../src/executor/runtimes/kubernetes/client-node.ts';
import { requireFolder } from '../../src/executor/runtimes/kubernetes/kubernetes-settings.ts';
import { needs } from '../support/require.ts';
import { createRoot } from './fixture.ts';
import { kubeconfigOf } from './kubernetes-world.ts';

const missing = () => Promise.reject(Object.assign(new Error('not there'), { code: 'ERR_MODULE_NOT_FOUND' }));

describe('the package of the client', () => {
  it('is named if it is missing, or if it cannot be loaded', async () => {
    const settings = { kubeconfig: undefined, context: undefined };
    await expect(connect(settings, missing)).rejects.toThrow(
      'SLIPWAY_EXECUTOR_RUNTIME=kubernetes requires the package @kubernetes/client-node. Run: npm install',
    );
    await expect(connect(settings, () => Promise.reject(new Error('bad engine')))).rejects.toThrow(
      'The package @kubernetes/client-node cannot be loaded: bad engine',
    );
  });
});

describe.runIf(needs('kubernetesClient', 'the configuration of Kubernetes'))('the configuration', () => {
  const file = async (text: string) => {
    const path = join(await createRoot(), 'kubeconfig');
    writeFileSync(path, text);
    return path;
  };

  it('has the namespace of the context', async () => {
    const kubeconfig = await file(kubeconfigOf('http://127.0.0.1:1', 'token'));
    expect(await connect({ kubeconfig, context: undefined })).toMatchObject({ namespace: 'work' });
    expect(await connect({ kubeconfig, context: 'test' })).toMatchObject({ namespace: 'work' });
    await expect(connect({ kubeconfig, context: 'none' })).rejects.toThrow(
      'KUBERNETES_CONTEXT: there is no context none',
    );
  });

  it.each(['not: [yaml', '{}'])('is refused if there is no cluster in it: %s', async (text) => {
    const kubeconfig = await file(text);
    await expect(connect({ kubeconfig, context: undefined })).rejects.toThrow('KUBECONFIG');
  });

  it('is refused if the file does not exist', async () => {
    await expect(connect({ kubeconfig: '/no/such/file', context: undefined })).rejects.toThrow(
      'KUBECONFIG: cannot read it',
    );
  });

  it('is AWAY if nobody answers, and stops at its signal', async () => {
    const kubeconfig = await file(kubeconfigOf('http://127.0.0.1:1', 'token'));
    const { api } = await connect({ kubeconfig, context: undefined });
    const signal = new AbortController().signal;
    await expect(api.readPod('a', 'b', signal)).rejects.toMatchObject({ fault: 'AWAY' });
    await expect(api.readPod('a', 'b', AbortSignal.abort(new Error('stopped')))).rejects.toThrow('stopped');
    const onData = () => {};
    await expect(
      api.readLog('a', 'b', { container: 'c', follow: true, onData }, signal),
    ).rejects.toMatchObject({
      fault: 'AWAY',
    });
    const watch = { labels: '', version: '1', timeoutSeconds: 1, onEvent: () => {} };
    await expect(api.watchPods('a', watch, signal)).rejects.toMatchObject({ fault: 'AWAY' });
  });
});

describe('the folder of runs', () => {
  it('is that of the executor without a volume, and its own folder in the volume with one', async () => {
    expect(requireFolder({ volumeClaim: undefined, sharedDir: undefined }, 'e1', '/own')).toEqual({
      root: '/own',
      volume: null,
    });
    const sharedDir = await createRoot();
    const { root, volume } = requireFolder({ volumeClaim: 'files', sharedDir }, 'e1', '/own');
    expect(root).toBe(join(sharedDir, 'e1'));
    expect([volume?.claim, volume?.subPathOf('r')]).toEqual(['files', 'e1/r']);
  });

  it.each([
    ['files', undefined, 'KUBERNETES_SHARED_DIR is required with KUBERNETES_VOLUME_CLAIM'],
    [undefined, '/tmp', 'KUBERNETES_VOLUME_CLAIM is required with KUBERNETES_SHARED_DIR'],
    ['files', '/no/such/folder', 'the executor cannot write to /no/such/folder'],
  ])('is refused with the claim %s and the folder %s', (volumeClaim, sharedDir, message) => {
    expect(() => requireFolder({ volumeClaim, sharedDir }, 'e1', '/own')).toThrow(message);
  });

  it('is refused if it is a file', async () => {
    const sharedDir = join(await createRoot(), 'file');
    writeFileSync(sharedDir, '', { mode: 0o700 });
    expect(() => requireFolder({ volumeClaim: 'files', sharedDir }, 'e1', '/own')).toThrow('is not a folder');
  });
});
