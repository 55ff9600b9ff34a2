import { isIP } from 'node:net';
import { z } from 'zod';
import { text, whole } from './config/environment.ts';

/** Where only processes of this machine can connect: a port of a loopback address, or the path of a Unix socket. */
export type LocalAddress = { readonly host: string; readonly port: number } | { readonly path: string };

const MAX_PATH = 100;
const MESSAGE =
  'must be a loopback address with a port (127.0.0.1:4445, [::1]:4445), or the absolute path of a Unix socket';

const isLoopback = (host: string) => (isIP(host) === 4 ? host.startsWith('127.') : host === '::1');

/** A variable with such an address. Port 0 chooses a free port. */
export const localAddress = text().transform((value, issues): LocalAddress => {
  if (value.startsWith('/') && value.length <= MAX_PATH) return { path: value };
  const [, bracketed, plain, digits] = /^(?:\[(.+)\]|([^:[\]]+)):(\d+)$/.exec(value) ?? [];
  const host = bracketed ?? plain ?? '';
  const port = whole(0, 65_535).safeParse(digits);
  if (port.success && isLoopback(host)) return { host, port: port.data };
  issues.addIssue({ code: 'custom', message: MESSAGE });
  return z.NEVER;
});
