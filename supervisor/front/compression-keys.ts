import * as z from 'zod'
import { docs, whole } from '../config/values.ts'

const minLength = 'expected a number of bytes from 0 to 1048576'
const noEvents = 'expected other media types: server-sent events would wait in the compressor'
const mediaType = 'expected media types such as application/vnd.api+json'

/** How to compress, for the whole front or a route. */
export const compressionValue = z.union(
  [
    z.enum(['on', 'off']),
    z.strictObject({
      brotli: z
        .enum(['auto', 'on', 'off'], { error: 'expected auto, on or off' })
        .default('auto')
        .register(docs, { description: 'auto: where nginx has its module; on: refuse to start without it' }),
      min_length: whole(0, 1 << 20, minLength)
        .default(256)
        .register(docs, { description: 'Shorter answers are left as they are, in bytes' }),
      types: z
        .array(
          z
            .string({ error: mediaType })
            .regex(/^[a-z0-9-]+\/[a-z0-9.+-]+$/, mediaType)
            .refine(type => type !== 'text/event-stream', noEvents),
          { error: mediaType },
        )
        .default([])
        .register(docs, { description: 'Media types that are compressed besides the usual ones' }),
    }),
  ],
  { error: 'expected on, off or {brotli, min_length, types}' },
)

/** The key `compression`. */
export const compression = compressionValue.default('on').register(docs, {
  description:
    'Whether answers that gain by it (text, JSON, scripts, SVG, WebAssembly, plain fonts) go out as gzip or Brotli; what the app has encoded itself is left alone',
})

/** How answers are compressed, as it is configured. */
export type CompressionConfig = z.output<typeof compression>
