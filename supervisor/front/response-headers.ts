import type { ResponseHeadersConfig } from './response-header-keys.ts'

const defaults: Record<string, string> = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'strict-origin-when-cross-origin',
}

/** Headers to add, including the defaults. A `$` in a value begins an nginx variable. `configured` has no two names that differ in case only. */
export function headersOf(configured: ResponseHeadersConfig): { name: string; value: string }[] {
  const entries = Object.entries(configured).map(([name, value]) => [name.toLowerCase(), value] as const)
  return [...new Map([...Object.entries(defaults), ...entries])]
    .filter(([, value]) => value !== 'off')
    .map(([name, value]) => ({
      name: name.replace(/(^|-)[a-z]/g, letter => letter.toUpperCase()),
      value: name === 'x-request-id' ? '$monohull_request_id' : value,
    }))
}
