import * as z from 'zod'
import { docs, whole } from '../config/values.ts'

const minLength = 'expected a number of bytes from 0 to 1048576'
const noEvents = 'expected other media types: server-sent events would wait in the compressor'
const mediaType = 'expected media types such as application/vnd.api+json'

/** Settings of compression, for the whole front or a route. */
export const compressionValue = z.union(
  [
    z.enum(['on', 'off']),
    z.strictObject({
      brotli: z
        .enum(['auto', 'on', 'off'], { error: 'expected auto, on or off' })
        .default('auto')
        .register(docs, { description: 'auto: if nginx has the module; on: do not start without it; off: never' }),
      min_length: whole(0, 1 << 20, minLength)
        .default(256)
        .register(docs, { description: 'Responses with fewer bytes are not compressed' }),
      types: z
        .array(
          z
            .string({ error: mediaType })
            .regex(/^[a-z0-9-]+\/[a-z0-9.+-]+$/, mediaType)
            .refine(type => type !== 'text/event-stream', noEvents),
          { error: mediaType },
        )
        .default([])
        .register(docs, { description: 'Additional media types to compress' }),
      skip_with_cookies: z.boolean({ error: 'expected true or false' }).default(false).register(docs, {
        description:
          'Whether apps and upstreams respond uncompressed to requests with a Cookie or Authorization header, so that the length of a response does not tell about secrets in it (BREACH)',
      }),
    }),
  ],
  { error: 'expected on, off or {brotli, min_length, types, skip_with_cookies}' },
)

/** The key `compression`. */
export const compression = compressionValue.default('on').register(docs, {
  description:
    'Whether to compress text, JSON, scripts, SVG, WebAssembly and plain fonts with gzip or Brotli; responses that the app has encoded stay unchanged',
})

/** Value of the key `compression`. */
export type CompressionConfig = z.output<typeof compression>
