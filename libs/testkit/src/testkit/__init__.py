"""What tests share: servers, running services, fakes and builders. Never part of a production wheel."""
