import about from '../package.json' with { type: 'json' };

/** The version of Samsa, as in package.json. */
export const VERSION = about.version;
