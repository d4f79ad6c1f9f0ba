import * as z from 'zod'
import { docs } from '../config/values.ts'
import { accessFields } from './access-fields.ts'

const switches = 'expected true, false or {fields, exclude_paths, redact, sample}'
const field = `expected fields of ${accessFields.join(', ')}`
const path = 'expected paths such as /healthz or /assets/*'
const redacted = 'expected remote_addr, query, or query.NAME for one parameter'
const share = 'expected a number from 0 to 1, such as 0.1'

/** The key `access_log`. */
export const accessLog = z
  .union(
    [
      z.boolean(),
      z.strictObject({
        fields: z
          .array(z.enum(accessFields, { error: field }), { error: field })
          .min(1, 'expected at least one field')
          .optional()
          .register(docs, {
            description:
              'Fields of each line, in this order: in JSON beside time, source, pid and stream, in other formats as name=value. Default: the usual line',
          }),
        exclude_paths: z
          .array(z.string({ error: path }).regex(/^\/[^\s"'\\;{}$*?#]*\*?$/, path), { error: path })
          .default([])
          .register(docs, {
            description:
              'Paths whose requests get no line, as the client wrote them and without the query; * at the end: any that begin so',
          }),
        redact: z
          .array(z.string({ error: redacted }).regex(/^(remote_addr|query(\.[!"$%'-:<>@-~]{1,64})?)$/, redacted), {
            error: redacted,
          })
          .default([])
          .register(docs, {
            description:
              "What to remove from access lines and from nginx's error lines; query: what follows ? in the URI and in the referer; query.token: the values of that parameter there; remote_addr: the last 8 bits of an IPv4 address, the last 80 of an IPv6 address",
          }),
        sample: z.number({ error: share }).min(0, share).max(1, share).default(1).register(docs, {
          description:
            'Share of the requests that get a line, at random; those with a status of 500 and above always do',
        }),
      }),
    ],
    { error: switches },
  )
  .default(true)
  .register(docs, { description: 'Whether nginx writes a line per request to stdout, and what is in it' })

/** Value of the key `access_log`. */
export type AccessLogConfig = z.output<typeof accessLog>
