/** What surrounds this run of monohull: read once, in main. */
export interface World {
  env: Readonly<Record<string, string | undefined>>
  /** Folder of the installation, with dist/ and nginx/. */
  home: string
  /** The umask that programs of the user are started with; monohull itself makes files that nginx can read. */
  umask: number
  /** Whether somebody works on the app: a worker that fails is left alone until the next change. */
  isDevelopment?: boolean
}
