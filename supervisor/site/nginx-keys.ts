import * as z from 'zod'
import { countOrAuto, docs, duration, whole } from '../config/values.ts'

const connections = 'expected a whole number from 64 to 1000000, or auto'
const connectionsOrAuto = z.union([z.literal('auto'), whole(64, 1_000_000, connections)], { error: connections })

/** Keys of nginx's processes, and of your own files for it. */
export const nginx = z
  .strictObject({
    worker_processes: countOrAuto(512).default('auto').register(docs, {
      description: 'Number of nginx worker processes; auto: one for each CPU that the cgroup grants',
    }),
    drain_timeout: duration('1h').register(docs, {
      description:
        'Time after a reload of nginx in which its old workers finish downloads, uploads, streams and WebSockets; the workers of at most four reloads remain',
    }),
    worker_connections: connectionsOrAuto.default('auto').register(docs, {
      description:
        'Connections of each nginx worker process, to clients and to apps: a proxied request or WebSocket needs two; auto: up to 8192, as far as the limit of open files and half of the memory allow',
    }),
    config: z
      .string({ error: 'expected a file' })
      .regex(/^[^\0]+$/, 'expected a file')
      .optional()
      .register(docs, {
        description:
          "Custom file in place of nginx.conf, relative to the app's directory; it must include rendered/main.conf and, in its http block, rendered/http.conf",
      }),
    snippets: z
      .string({ error: 'expected a directory' })
      .min(1, 'expected a directory')
      .default('nginx')
      .register(docs, {
        description: "Directory with custom http.d/*.conf and server.d/*.conf, relative to the app's directory",
      }),
  })
  .prefault({})
