import { z } from "zod";

/** Stack config key `network`: who may reach the API, and whom it may reach. */
export const network = z.strictObject({});
