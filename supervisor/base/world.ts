/** Environment of this run of monohull, read once in main. */
export interface World {
  env: Readonly<Record<string, string | undefined>>
  /** Directory of the installation, with dist/ and nginx/. */
  home: string
  /** Name of the current directory, if it leads through links; undefined: process.cwd() is its only name. */
  directory?: string | undefined
  /** Umask for the user's programs. Monohull itself uses one that lets nginx read its files. */
  umask: number
  /** Soft limit of open files for the user's programs; undefined: monohull's own, which Node has raised. */
  openFiles?: number | undefined
  /** Whether this is `monohull dev`: a worker that fails is restarted only after the next change. */
  isDevelopment?: boolean
}
