import { z } from "zod";
import { numericText } from "./common";

/** Stack config key `steps`: the weights of a stepped canary, and how long each is watched. */
export const steps = z.array(z.strictObject({ setWeight: z.number(), pause: numericText }));
