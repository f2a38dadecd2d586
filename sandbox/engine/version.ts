/**
 * The version of the real CLI whose behaviour this engine stands in for, marked as not being it.
 * The Automation API parses it: it must be semver, and not older than the SDK asks for.
 */
export const VERSION = "3.248.0+stand-in";
