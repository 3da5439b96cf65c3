/** Who has the logs of Pods: the kubelet. */
import type { KubeObject } from '../objects.ts';

export interface LogQuery {
  container: string | undefined;
  follow: boolean;
  tailLines: number | undefined;
  limitBytes: number | undefined;
  sinceMs: number | undefined;
  timestamps: boolean;
  previous: boolean;
}

export interface LogSink {
  write(chunk: Buffer): void;
  end(): void;
}

export interface LogSource {
  /** Throws ApiError where there is no log. Returns how to stop following. */
  readLog(pod: KubeObject, query: LogQuery, sink: LogSink): () => void;
}
