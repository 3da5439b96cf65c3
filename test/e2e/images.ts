/** An image that the node gets. */
export interface Image {
  /** Name and tag. */
  name: string;
  /** A file that `ctr images import` takes. */
  archive: string;
}

export interface Images {
  pause: Image;
  operator: Image;
  capistrano: Image;
}

export async function findImages(): Promise<Images> {
  const lab = '/tmp/e2e-lab/state/images';
  return {
    pause: { name: 'localhost/pause:1', archive: `${lab}/pause.tar` },
    operator: { name: 'localhost/capdeployjob:e2e', archive: `${lab}/operator.tar` },
    capistrano: { name: 'localhost/capistrano:dev', archive: `${lab}/capistrano.tar` },
  };
}
