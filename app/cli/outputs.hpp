// What a command is asked to write must not be what it reads, and what it writes has the name of its kind.
#pragma once

#include <string>
#include <vector>

namespace whorl::cli {

/// Throws UserError, one line, when a file that `--out OUT` means would replace one of the command's own inputs: the
/// same file by device and inode, through links, whatever the names. `written` are the files that OUT stands for (OUT
/// itself, or files in that folder), `read` the inputs; folders and names of nothing are passed over. Opens none.
void refuse_own_inputs(const std::string& out, const std::vector<std::string>& written,
                       const std::vector<std::string>& read);

/// The files that CHECKPOINT|RUN stands for: the file itself, a checkpoint's or a model folder's, and all that a run
/// goes on with, where one lies around it.
std::vector<std::string> files_of_model(const std::string& path);

/// Throws UserError unless `out` ends in .safetensors: a reader of another format would be given this one.
void require_safetensors_name(const std::string& out);

}  // namespace whorl::cli
