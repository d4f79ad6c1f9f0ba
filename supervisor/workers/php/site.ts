/** Directory that nginx serves, and whose scripts PHP-FPM runs. */
export interface PhpSite {
  root: string
  /** Script below the root that responds where no file exists; undefined: 404. */
  frontController: string | undefined
  followsLinks: boolean
  /** Whether the path of the root contains a symbolic link, such as `current` for the newest release. */
  isLinked: boolean
}
