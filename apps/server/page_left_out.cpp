#include "server/page.h"

namespace rune::server {

std::span<const PageFile> page_files() { return {}; }

}  // namespace rune::server
