/** What the tests compile is verified after every pass. */
import { verifyAlways } from "../../compiler/kernel/verify.ts";

verifyAlways();
