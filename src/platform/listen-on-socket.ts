import { chmod, unlink } from 'node:fs/promises';
import { connect, type Server } from 'node:net';
import { ConfigurationError } from './config/environment.ts';

/**
 * Lets a server listen on a Unix socket, which only processes of the same user can open. A socket that an earlier
 * process has left behind is replaced.
 *
 * @param name  the variable of the path, for the message.
 * @throws ConfigurationError that names the variable.
 */
export async function listenOnSocket(server: Server, path: string, name: string): Promise<void> {
  if (await isLeftBehind(path)) await unlink(path);
  // The socket must not be open to others for a moment.
  const before = process.umask(0o177);
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error: NodeJS.ErrnoException) =>
        reject(new ConfigurationError(`${name}: the server cannot listen on ${path} (${error.code}).`)),
      );
      server.listen(path, resolve);
    });
  } finally {
    process.umask(before);
  }
  await chmod(path, 0o600);
}

/** Whether it is a socket on which nobody listens. */
const isLeftBehind = (path: string): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => resolve(!socket.destroy()));
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'ECONNREFUSED'));
  });
