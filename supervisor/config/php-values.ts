import * as z from 'zod'
import { docs } from './values.ts'

const script = 'expected a path such as /index.php, or off'

/** Message for a document root that is no path for nginx. */
export const expectedRoot = 'expected a directory without quotes, backslashes, ;, {, } and $'

/** Key `front_controller` of a PHP app, here or at an upstream. */
export const frontControllerKey = z
  .union([z.literal('off'), z.string().regex(/^(\/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+\.php$/, script)], { error: script })
  .default('/index.php')
  .register(docs, {
    description:
      'Script below the root that responds where no file exists; off: 404. A missing script (*.php) is always 404',
  })
