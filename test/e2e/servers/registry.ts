import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { run } from '../node/commands.ts';

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const TYPES = { config: 'application/vnd.oci.image.config.v1+json', layer: 'application/vnd.oci.image.layer.v1.tar' };

/**
 * A registry on loopback, where containerd speaks plain HTTP, with one image under each name and tag. It answers
 * nothing until it is told to: a slow pull.
 */
export class SlowRegistry {
  readonly #hold = Promise.withResolvers<void>();
  readonly #server = createServer();
  #asked = false;

  /** @param archive of the image, as docker saves it. @param scratch a folder */
  static async start(archive: string, scratch: string): Promise<SlowRegistry> {
    await run('tar', ['--extract', '--file', archive, '--directory', scratch]);
    const read = (path: string): Buffer => readFileSync(join(scratch, path));
    const [image] = JSON.parse(read('manifest.json').toString()) as { Config: string; Layers: string[] }[];
    if (image === undefined) throw new Error(`${archive} holds no image`);
    // Another image than that of the archive: what was pulled once, by whatever name, is no longer taken for preloaded
    // (https://kep.k8s.io/2535), and Pods with the archive's image would have to pull it.
    const config = { ...JSON.parse(read(image.Config).toString()), author: 'slow registry' };
    return new SlowRegistry(Buffer.from(JSON.stringify(config)), image.Layers.map(read)).#listen();
  }

  private constructor(config: Buffer, layers: readonly Buffer[]) {
    const blobs = new Map([config, ...layers].map((bytes) => [digestOf(bytes), bytes]));
    const describe = (mediaType: string, bytes: Buffer) => ({ mediaType, size: bytes.length, digest: digestOf(bytes) });
    const manifest = Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: MANIFEST,
        config: describe(TYPES.config, config),
        layers: layers.map((bytes) => describe(TYPES.layer, bytes)),
      }),
    );
    this.#server.on('request', async ({ method, url = '' }, response) => {
      this.#asked = true;
      await this.#hold.promise;
      const bytes = url.includes('/manifests/') ? manifest : blobs.get(url.split('/').at(-1) ?? '');
      if (bytes === undefined) return response.writeHead(404).end();
      response.writeHead(200, {
        'content-type': bytes === manifest ? MANIFEST : 'application/octet-stream',
        'content-length': bytes.length,
        'docker-content-digest': digestOf(bytes),
      });
      return response.end(method === 'HEAD' ? undefined : bytes);
    });
  }

  async #listen(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return this;
  }

  /** Of its image. */
  get tag(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}/slow/image:1`;
  }

  /** Whether a pull has begun. */
  get asked(): boolean {
    return this.#asked;
  }

  answer(): void {
    this.#hold.resolve();
  }

  stop(): void {
    this.answer();
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

const digestOf = (bytes: Buffer): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
