/** Printed PTX, interpreted: every op's samples have the values of the oracles. */
import { deviceProfile } from "../../../../compiler/profile.ts";
import { onDevice, testSamples } from "../../../support/op-samples.ts";
import { ptxDevice } from "../../../support/ptx-device.ts";

const device = ptxDevice();

testSamples(onDevice(device), [["fused", "fused", deviceProfile(device.capabilities)]], "values");
