// High dynamic range pictures on ordinary screens. Pure arithmetic.
#pragma once

#include <string>

#include "media/ffmpeg/av.h"

namespace kinodex::media {

/// PQ or HLG.
bool is_hdr_transfer(AVColorTransferCharacteristic transfer);

/// 16-bit little-endian BT.2020 RGB in `transfer` to 8-bit sRGB. Diffuse white (203 nits) lands
/// near white and highlights roll off. Source: ITU-R BT.2100 for the transfer functions, BT.2087
/// for the primaries, BT.2408 for diffuse white; the curve is Reinhard's with a white point.
std::string standard_range(const std::string& rgb48, AVColorTransferCharacteristic transfer);

}  // namespace kinodex::media
