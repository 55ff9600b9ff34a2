/** A request whose headers are sent as they are given. `fetch` sets some of them itself, such as Host. */
import { request } from 'node:http';

export async function rawRequest(
  url: string,
  {
    method = 'GET',
    headers = {},
    body = '',
  }: { method?: string; headers?: Record<string, string>; body?: string } = {},
): Promise<Response> {
  return await new Promise((resolve, reject) => {
    request(url, { method, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('end', () => {
        const answered = new Headers();
        for (const [name, values = []] of Object.entries(response.headersDistinct))
          for (const value of values) answered.append(name, value);
        const status = response.statusCode ?? 0;
        resolve(new Response(Buffer.concat(chunks), { status, headers: answered }));
      });
    })
      .once('error', reject)
      .end(body);
  });
}
