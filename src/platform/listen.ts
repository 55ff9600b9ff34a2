import type { AddressInfo, Server } from 'node:net';
import { ConfigurationError } from './config/environment.ts';

/** Another process uses this port. */
export class PortInUseError extends ConfigurationError {}

/**
 * Lets a server listen at the configured address; port 0 chooses a free port.
 *
 * @param names the variables of the address, for the message.
 * @throws ConfigurationError that names the variable; PortInUseError if the port is in use.
 */
export function listen(
  server: Server,
  { host, port }: { readonly host: string; readonly port: number },
  names = { host: 'HOST', port: 'PORT' },
): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE')
        reject(
          new PortInUseError(
            `Port ${port} of ${host} is in use. Stop the process that uses it, or set ${names.port} to another one.`,
          ),
        );
      else if (error.code === 'EACCES')
        reject(
          new ConfigurationError(
            `${names.port}: this user cannot listen on port ${port}. Set ${names.port} to 1024 or more.`,
          ),
        );
      else
        reject(
          new ConfigurationError(
            `${names.host}: ${host} is not an address of this machine (${error.code}). Set ${names.host} to an address such as 127.0.0.1 or 0.0.0.0.`,
          ),
        );
    });
    server.listen(port, host, () => resolve(server.address() as AddressInfo));
  });
}
