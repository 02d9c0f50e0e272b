/** Version of this code: it stands in every journal, since what other code has written may mean something else. */
import { createRequire } from "node:module";

export const CODE_VERSION: string = (createRequire(import.meta.url)("../package.json") as { version: string })
  .version;
