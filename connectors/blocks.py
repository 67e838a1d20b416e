"""The credentials as Prefect blocks, for people who keep them on their Prefect server.

The fields are those of the settings. Prefect masks the secret ones and encrypts them at rest.
"""

from typing import Annotated

from prefect.blocks.core import Block
from pydantic import Field, SecretStr

from connectors.settings import COURSERA_WITH_REFRESH_TOKEN, LEARNING360_EU

NAME = "default"
WHERE = f"By default {COURSERA_WITH_REFRESH_TOKEN[0]}, or where there is no refresh token the API for apps."


class CourseraCredentials(Block):
    """What coursera-sync signs in to Coursera for Business with; read from the block named `default`."""

    _block_type_name = "Coursera credentials"
    _block_type_slug = "coursera-credentials"

    org_id: Annotated[str, Field(title="Organisation id")]
    client_id: Annotated[str, Field(title="Client id")]
    client_secret: Annotated[SecretStr, Field(title="Client secret")]
    refresh_token: Annotated[
        SecretStr | None,
        Field(title="Refresh token", description="Left out: sign-in by client credentials."),
    ] = None
    api_url: Annotated[str | None, Field(title="API URL", description=WHERE)] = None
    token_url: Annotated[str | None, Field(title="Token URL", description="By default the API's own.")] = None
    renewed_from: Annotated[
        str | None,
        Field(
            title="Renewed from (kept by coursera-sync)",
            description="A digest of the token that was set here, once Coursera has renewed it.",
        ),
    ] = None


class Learning360Credentials(Block):
    """What coursera-sync signs in to 360Learning with, and where the courses appear there."""

    _block_type_name = "360Learning credentials"
    _block_type_slug = "learning360-credentials"

    client_id: Annotated[str, Field(title="Client id")]
    client_secret: Annotated[SecretStr, Field(title="Client secret")]
    api_url: Annotated[
        str, Field(title="API URL", description="US platforms: https://app.us.360learning.com")
    ] = LEARNING360_EU
    group_id: Annotated[str, Field(title="Group id", description="24 characters, in the group's address.")]
    author_id: Annotated[str, Field(title="Author id", description="An editor or admin of the group.")]
    platform_name: Annotated[str, Field(title="Name of the integration")] = "Coursera for Business"
    no_group_propagation: Annotated[bool, Field(title="Hide the content from subgroups")] = False
