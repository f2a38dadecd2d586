import { z } from "zod";
import { resources } from "./common";

/** Stack config key `router`: the nginx router. */
export const router = z.strictObject({
    name: z.string().optional(),
    image: z.string().optional(),
    replicas: z.number().optional(),
    resources: resources.optional(),
});
