/** Options of `monohull routes set` that make it a switch. */
export interface SwitchOptions {
  check?: string | undefined
  timeout?: string | undefined
  drain?: string | undefined
  weight?: string | undefined
  cookie?: string | boolean | undefined
}

/** Their names. */
export const switchOptions: readonly string[] = ['check', 'timeout', 'drain', 'weight', 'cookie']
