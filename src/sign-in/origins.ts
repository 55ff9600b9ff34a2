import { serverConfig } from '../platform/config/server.ts';

/** Whether pages from there are our own or listed. */
export function isAllowedOrigin(origin: string, publicUrl: string): boolean {
  return serverConfig.corsOrigins.includes(origin) || origin === new URL(publicUrl).origin;
}
