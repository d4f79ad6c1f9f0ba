/** Directory that nginx serves, and whose scripts PHP-FPM runs. */
export interface PhpSite {
  root: string
  /** Script below the root that responds where no file exists; undefined: 404. */
  frontController: string | undefined
  followsLinks: boolean
}
