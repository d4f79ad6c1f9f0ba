import * as z from 'zod'
import { docs } from '../config/values.ts'

const path = z.string({ error: 'expected a path' }).regex(/^[^\x00-\x1f]+$/, 'expected a path')
const watchError = 'expected a list of paths, or off'

/** The key `dev`. */
export const development = z
  .strictObject({
    watch: z
      .union([z.literal('off'), z.array(path).min(1, watchError)], { error: watchError })
      .optional()
      .register(docs, {
        description:
          'Files and directories whose changes restart the app in monohull dev, relative to the app directory; off: none. Default: the directories of the apps and processes and of linked workspace packages, except for programs that watch their files themselves (Vite, next dev, flask --debug, nodemon)',
      }),
    ignore: z.array(path, { error: 'expected a list of paths' }).default([]).register(docs, {
      description:
        'Files and directories not to watch, relative to the watched directory: data.json, src/generated, or *.log for that name in any directory',
    }),
    restart: z
      .enum(['start-first', 'stop-first'], { error: 'expected start-first or stop-first' })
      .optional()
      .register(docs, {
        description:
          'start-first: a new worker starts beside the old one; stop-first: after the old one has ended. Default: stop-first for programs that watch their files themselves, which often refuse to run twice',
      }),
  })
  .prefault({})
