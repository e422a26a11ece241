/** The figures' values in the units that people read. */

import { formatChange, formatNumber, formatShare } from "../ui/format.ts";

/** A log return, or a part, as `1.2%`. */
export const asPercent = (value: number): string => formatShare(value, percentDigits(value));

function percentDigits(value: number): number {
  const size = Math.abs(value);
  if (size >= 0.1) return 1;
  return size >= 0.001 ? 2 : 3;
}

/** A part of the price in hundredths of a percent. */
export function asPoints(value: number): string {
  const points = value * 1e4;
  return `${formatNumber(points, pointDigits(points))} bp`;
}

function pointDigits(points: number): number {
  const size = Math.abs(points);
  if (size >= 10 || size === 0) return 1;
  return size >= 0.1 ? 2 : 4;
}

export const asSlope = (value: number): string => `${formatChange(value * 1e4)} bp/min`;

export const asRatio = (value: number): string => `${formatNumber(value, 2)}×`;

export const asNumber = (value: number): string => formatNumber(value, 2);

/** A loss: the differences of good forecasts are small. */
export const asLoss = (value: number): string => formatNumber(value, 3);
