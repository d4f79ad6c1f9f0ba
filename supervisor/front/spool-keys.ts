import * as z from 'zod'
import { parseSize } from '../base/size.ts'
import { dataSize, docs, writtenDirectory } from '../config/values.ts'

const heads = 'expected a size from 4k to 1m, such as 128k'
const responses = 'expected on, off or a size such as 64m'

/** The key `temp_dir`. */
export const tempDir = writtenDirectory.optional().register(docs, {
  description:
    'Directory for the temporary files of nginx: request bodies, and responses that clients read slowly. In memory (tmpfs), responses are not stored, and bodies share a quarter of the memory. Default: run_dir',
})

/** Keys of a route about what nginx stores. */
export const routeSpoolKeys = {
  request_buffering: z.enum(['on', 'off'], { error: 'expected on or off' }).optional().register(docs, {
    description:
      'off: the app or upstream gets a request body as it arrives, nothing is stored, and a slow client keeps its worker busy; default: on',
  }),
  response_header_size: dataSize(heads)
    .refine(size => {
      const bytes = parseSize(size) ?? 0
      return bytes >= 4096 && bytes <= 2 ** 20
    }, heads)
    .optional()
    .register(docs, {
      description:
        'Largest head of a response of the app or upstream: status, headers and cookies. A larger one is 502. Default: 64k',
    }),
  response_buffering: z
    .string({ error: responses })
    .regex(/^(on|off|[1-9]\d{0,8}[kmg])$/, responses)
    .optional()
    .register(docs, {
      description:
        'on: nginx takes a response from the server as fast as it can and sends it at the pace of the client, but may hold back parts of it. On a disk it stores up to a thousandth of the disk and 256m, or the size that is given here. off: each part is sent on immediately. Default: off, and on where responses are cached',
    }),
}
