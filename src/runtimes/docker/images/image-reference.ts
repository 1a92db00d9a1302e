/** An image name taken apart, by the rules of the docker CLI. */
export interface ImageReference {
  /** As credentials are filed under: `https://index.docker.io/v1/` for Docker Hub. */
  readonly registry: string;
  /** What the API takes as `fromImage`. */
  readonly name: string;
  /** What the API takes as `tag`; absent with a digest. Without one the engine would pull every tag. */
  readonly tag?: string;
}

export const DOCKER_HUB = 'https://index.docker.io/v1/';

export function parseImageReference(image: string): ImageReference {
  const first = image.slice(0, Math.max(0, image.indexOf('/')));
  const isHost = first.includes('.') || first.includes(':') || first === 'localhost';
  const hub = !isHost || first === 'docker.io' || first === 'index.docker.io';
  const registry = hub ? DOCKER_HUB : first;
  if (image.includes('@')) return { registry, name: image };
  const colon = image.indexOf(':', image.lastIndexOf('/') + 1);
  return colon < 0
    ? { registry, name: image, tag: 'latest' }
    : { registry, name: image.slice(0, colon), tag: image.slice(colon + 1) };
}
